# Strings, hashes, blocks, threads, fibers, collections forced, a child.
state = 42
random = -> { state = (state * 6364136223846793005 + 1442695040888963407) % 2**64; state >> 33 }
words = Array.new(30_000) { Array.new(1 + random.call % 9) { (97 + random.call % 26).chr }.join }
count = words.each_with_object(Hash.new(0)) { |word, hash| hash[word] += 1 }
p count.sort_by { |word, number| [-number, word] }.first(5)
text = words.join(' ')
puts text.scan(/[aeiou]{2,}/).size, text.gsub(/(\w)(\w*)/) { $1.upcase + $2 }[0, 50]
puts (1..300).inject(:*).to_s.size, (2**5000).digits.sum
threads = 4.times.map { |i| Thread.new { (1..20_000).map { |k| "x" * (k * i % 40) }.sum(&:size) } }
p threads.map(&:value)
fibers = 200.times.map { |i| Fiber.new { 3.times { |k| Fiber.yield "#{i}-#{k}" * 3 }; nil } }
p fibers.map(&:resume).sum(&:size), fibers.map(&:resume).last
Node = Struct.new(:left, :right)
make = ->(depth) { depth.zero? ? Node.new : Node.new(make[depth - 1], make[depth - 1]) }
5.times { make[12]; GC.start }
child = fork { GC.start; exit!(words.uniq.size == count.size ? 9 : 1) }
Process.wait(child)
p $?.exitstatus
File.write('ruby.out', count.sort.map { |word, number| format("%-12s %d\n", word, number) }.join)
p Marshal.load(Marshal.dump(count)) == count, words.group_by(&:size).transform_values(&:size).sort
p words.sort.each_slice(1000).map { |slice| slice.first }.first(5), text.unpack('C*').each_slice(7).sum(&:max)
