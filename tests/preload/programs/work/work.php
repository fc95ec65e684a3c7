<?php
/* Arrays, strings, regular expressions, JSON, objects in cycles, generators, sorting. */
$state = 99;
function random(int $n): int { global $state; $state = ($state * 1103515245 + 12345) % 2147483648; return $state % $n; }
$words = [];
for ($i = 0; $i < 50000; $i++) {
    $word = '';
    for ($j = random(8) + 1; $j > 0; $j--) $word .= chr(97 + random(26));
    $words[] = $word;
}
$count = array_count_values($words);
uksort($count, fn($a, $b) => $count[$b] <=> $count[$a] ?: strcmp($a, $b));
print_r(array_slice($count, 0, 5));
$text = implode(' ', $words);
echo strlen($text), ' ', preg_match_all('/[aeiou]{2,}/', $text), ' ', md5(ucwords($text)), "\n";
class Node { public $other; public $payload; function __construct($n) { $this->payload = str_repeat('p', $n); } }
for ($i = 0; $i < 50000; $i++) { $a = new Node($i % 100); $b = new Node(5); $a->other = $b; $b->other = $a; }
unset($a, $b);
gc_collect_cycles();
function numbers($n) { for ($i = 0; $i < $n; $i++) yield $i => $i * $i % 1000; }
$sum = 0;
foreach (numbers(200000) as $key => $value) $sum += $key ^ $value;
echo $sum, ' ', strlen(serialize($count)), ' ', md5(json_encode($count)), "\n";
echo json_decode(json_encode($count), true) == $count ? 'same' : 'other', "\n";
$matrix = array_fill(0, 200, range(1, 200));
echo array_sum(array_map(fn($row) => array_product(array_slice($row, 0, 12)), $matrix)), "\n";
file_put_contents('php.out', implode("\n", array_unique($words)));
echo str_pad(number_format(1234567.891, 2), 20, '*', STR_PAD_BOTH), ' ', strrev('malloc'), ' ', crc32($text), "\n";
