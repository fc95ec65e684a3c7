# Arrays, regular expressions, process substitution, printf, read, mapfile.
declare -A count
declare -a list
for ((i = 0; i < 20000; i++)); do
    key=k$((i * 31 % 997))
    count[$key]=$((${count[$key]:-0} + i))
    list+=("$key")
done
echo "${#count[@]} ${#list[@]} ${list[@]:100:5}"
for key in k1 k10 k100 k500; do echo "$key=${count[$key]}"; done
while read -r a b; do
    [[ $a =~ ^k([0-9]+)$ ]] && echo "${BASH_REMATCH[1]} ${b^^}"
done < <(printf '%s word\n' "${list[@]:0:2000}")
mapfile -t lines < <(seq 1 5000)
printf '%s,' "${lines[@]}" | md5sum
printf -v padded '%08.3f' 3.14159
echo "${padded//0/o}" "${lines[@]: -3}"
f() { local x=$1; ((x > 0)) && f $((x - 1)); echo -n "$x "; }
f 200
echo
diff <(seq 1 100) <(seq 2 101)
coproc cat; echo through >&"${COPROC[1]}"; read -r got <&"${COPROC[0]}"; echo "$got"
compgen -k | sort | head -5
unset list; list=("${!count[@]}"); printf '%s\n' "${list[@]}" | sort | tail -3 >keys
