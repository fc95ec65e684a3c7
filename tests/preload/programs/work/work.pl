# Hashes, arrays, regular expressions, sorting, formats, closures, local files, a child.
use strict;
use warnings;

my %count;
my $state = 12345;
sub next_number { $state = ($state * 1103515245 + 12345) % 2147483648; return $state; }
my @words = map { join '', map { chr(97 + next_number() % 26) } 1 .. 1 + next_number() % 9 } 1 .. 30000;
$count{$_}++ for @words;
my @top = (sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count)[0 .. 9];
print "$_ $count{$_}\n" for @top;
my $text = join ' ', @words;
my $vowels = () = $text =~ /[aeiou]{2,}/g;
(my $changed = $text) =~ s/(\w)(\w+)/\u$1\L$2/g;
print length($text), " $vowels ", substr($changed, 0, 60), "\n";
my @matrix = map { [map { next_number() % 100 } 1 .. 100] } 1 .. 100;
my @product;
for my $i (0 .. 99) { for my $j (0 .. 99) { $product[$i][$j] += $matrix[$i][$_] * $matrix[$_][$j] for 0 .. 19; } }
print join(',', @{ $product[7] }[0 .. 9]), "\n";
my @closures = map { my $n = $_; sub { $n += shift; $n } } 1 .. 5000;
my $sum = 0;
$sum += $_->(3) for @closures;
print "$sum ", unpack('%32C*', $text) % 65535, "\n";
open my $out, '>', 'perl.out' or die;
printf $out "%-10s|%5d\n", $_, length for sort @words;
close $out;
my $pid = fork;
if (!$pid) { my %h = map { $_ => [1 .. 10] } @words; exit(scalar(keys %h) == scalar(keys %count) ? 7 : 1); }
waitpid $pid, 0;
print $? >> 8, "\n";
my $deep = [];
$deep = [$deep, $_] for 1 .. 20000;
my $depth = 0;
while (@$deep) { $deep = $deep->[0]; $depth++; }
print "$depth\n", sprintf('%vd', '1.22.333'), ' ', reverse(split //, 'malloc'), "\n";
