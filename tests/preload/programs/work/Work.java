import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.*;
import java.util.concurrent.*;
import java.util.regex.*;
import java.util.stream.*;
import java.util.zip.*;

/** Collections, strings, threads, direct buffers, compression (native memory), the collector. */
public class Work {
    static final class Node {
        Node left, right;
    }

    static Node tree(int depth) {
        Node node = new Node();
        if (depth > 0) {
            node.left = tree(depth - 1);
            node.right = tree(depth - 1);
        }
        return node;
    }

    static int deflated(byte[] bytes, int level) {
        Deflater deflater = new Deflater(level);
        deflater.setInput(bytes);
        deflater.finish();
        byte[] buffer = new byte[bytes.length + 1000];
        int length = deflater.deflate(buffer);
        deflater.end();
        return length;
    }

    public static void main(String[] arguments) throws Exception {
        Random random = new Random(11);
        List<String> words = IntStream.range(0, 50000)
            .mapToObj(i -> random.ints(1 + i % 8, 'a', 'z' + 1).mapToObj(Character::toString).collect(Collectors.joining()))
            .collect(Collectors.toList());
        Map<String, Long> count = words.stream().collect(Collectors.groupingBy(w -> w, TreeMap::new, Collectors.counting()));
        count.entrySet().stream().sorted(Map.Entry.<String, Long>comparingByValue().reversed().thenComparing(Map.Entry.comparingByKey()))
            .limit(5).forEach(System.out::println);
        String text = String.join(" ", words);
        byte[] bytes = text.getBytes();
        System.out.println(text.length() + " " + Pattern.compile("[aeiou]{2,}").matcher(text).results().count());
        System.out.println(HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes)));
        ExecutorService pool = Executors.newFixedThreadPool(4);
        List<Future<Integer>> futures = new ArrayList<>();
        for (int level = 1; level <= 9; level++) {
            int chosen = level;
            futures.add(pool.submit(() -> deflated(bytes, chosen)));
        }
        for (Future<Integer> future : futures)
            System.out.println(future.get());
        pool.shutdown();
        long sum = 0;
        for (int i = 0; i < 200; i++) {
            ByteBuffer direct = ByteBuffer.allocateDirect(10000 * (i % 20 + 1));
            while (direct.remaining() >= 8)
                direct.putLong(i * 31L);
            sum += direct.getLong(8);
            tree(10);
        }
        System.gc();
        System.out.println(sum);
    }
}
