# Strings, hashes of arrays and regular expressions: a text is made, counted, rewritten and sorted.
use strict;
use warnings;

my $seed = 6;

sub random_below {
    my ($bound) = @_;
    $seed = ($seed * 1103515245 + 12345) % 2147483648;
    return int($seed / 65536) % $bound;
}

my @lines = map {
    join ' ', map { chr(97 + random_below(26)) x (1 + random_below(8)) . random_below(400) } 1 .. 8
} 1 .. 22000;

my (%places, %lengths);
for my $number (0 .. $#lines) {
    push @{ $places{$_} }, $number for split / /, $lines[$number];
}
push @{ $lengths{ length $_ } }, $_ for keys %places;
my $joined = join "\n", map { s/([a-z])\1+/<$1>/gr } @lines;
my @order = sort { @{ $places{$b} } <=> @{ $places{$a} } || $a cmp $b } keys %places;
print scalar(@order), ' ', scalar(keys %lengths), ' ', length($joined), ' ', "@order[0 .. 4]", "\n";
