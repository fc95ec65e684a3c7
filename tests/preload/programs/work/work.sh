# What shell scripts do: functions, loops, arithmetic, pipes, here-documents, subshells, traps.
fib() {
    if [ "$1" -lt 2 ]; then echo "$1"; else echo $(($(fib $(($1 - 1))) + $(fib $(($1 - 2))))); fi
}
fib 10
i=0
text=
while [ $i -lt 5000 ]; do
    text="$text $((i * 7919 % 1000))"
    i=$((i + 1))
done
set -- $text
echo $# "${text%% 9*}"
for word in "$@"; do
    case $word in
    *7) echo "seven $word" ;;
    [1-3]*) : ;;
    esac
done | sort | uniq -c
cat <<END | tr a-z A-Z
here is $1 and $(echo nested "$(echo deeper)")
END
(trap 'echo trapped' EXIT; cd / && pwd; exit 0)
for i in 1 2 3 4 5 6 7 8 9 10; do
    printf '%05d %s %x\n' "$i" "$(echo $i | sed 's/./&&/')" $((i * i)) &
    wait
done
eval 'a=1; b=$((a + 1)); echo $a$b'
echo ${text#* * * * * } | cksum >result
