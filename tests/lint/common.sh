# common.sh: counting and the closing line for the checks in this folder. Sourced.

checks=0
failures=0

# check COMMAND...: one more check; what it prints is what is wrong. It passes when the command succeeds.
check() {
    checks=$((checks + 1))
    "$@" || failures=$((failures + 1))
}

# Ends the script with Check's closing line and the exit status that goes with it.
finish() {
    passed=$((checks - failures))
    [ "$checks" -gt 0 ] || { echo "nothing was checked"; exit 1; }
    echo "$((passed * 100 / checks))%: Checks: $checks, Failures: $failures, Errors: 0"
    [ "$failures" -eq 0 ]
    exit
}

# The C sources and headers under the folders that exist, one a line.
c_files() {
    for folder in "$@"; do
        [ ! -d "$folder" ] || find "$folder" -name '*.[ch]' -type f
    done | LC_ALL=C sort
}
