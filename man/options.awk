# Makes the options' part of gcalloc(7) from src/base/options.def: one tagged paragraph an option, in mdoc.
# Every entry of the table is one line; an entry this can't read is an error, not a gap in the page.

function fail(problem) {
    print FILENAME ":" FNR ": " problem > "/dev/stderr"
    failed = 1
    exit 1
}

# The text between the first pair of quotes of `rest`, which goes on behind it.
function take_quoted(    start, text) {
    start = index(rest, "\"")
    if (start == 0)
        fail("no quoted text")
    rest = substr(rest, start + 1)
    text = substr(rest, 1, index(rest, "\"") - 1)
    rest = substr(rest, length(text) + 2)
    return text
}

# The field up to the next comma.
function take_field(    text) {
    text = substr(rest, 1, index(rest, ",") - 1)
    rest = substr(rest, length(text) + 2)
    gsub(/^[ \t]+|[ \t]+$/, "", text)
    return text
}

function as_size(bytes,    step) {
    bytes += 0
    for (step = 0; bytes > 0 && bytes % 1024 == 0 && step < 4; step++)
        bytes /= 1024
    return sprintf("%.0f%s", bytes, substr("KMGT", step, step > 0))
}

function as_value(type, value) {
    if (type == "SIZE")
        return as_size(value)
    if (type == "BOOL")
        return value + 0 ? "yes" : "no"
    return value
}

# In short lines; none may begin with a control character, and a backslash would be an escape.
function sentence(text,    words, count, line, i) {
    gsub(/\\/, "\\e", text)
    count = split(toupper(substr(text, 1, 1)) substr(text, 2) (text ~ /[.]$/ ? "" : "."), words, " ")
    for (i = 1; i <= count; i++) {
        if (line != "" && length(line) + length(words[i]) > 76) {
            print line
            line = ""
        }
        line = line (line != "" ? " " : words[i] ~ /^[.']/ ? "\\&" : "") words[i]
    }
    print line
}

function print_number(    name, type, initial, minimum, maximum) {
    name = take_field()
    type = take_field()
    initial = take_field()
    minimum = take_field()
    maximum = take_field()
    if (type !~ /^(BOOL|COUNT|SIZE)$/)
        fail("unknown type " type)
    printf ".It Cm %s Ns = Ns Ar %s\n", name, (type == "BOOL" ? "yes|no" : tolower(type))
    sentence(take_quoted())
    if (type == "BOOL")
        printf "The default is %s.\n", as_value(type, initial)
    else
        printf "From %s to %s; the default is %s.\n", as_value(type, minimum), as_value(type, maximum),
            as_value(type, initial)
}

function print_choice(    name, initial, choices) {
    name = take_field()
    initial = take_quoted()
    choices = take_quoted()
    printf ".It Cm %s Ns = Ns Ar %s\n", name, choices
    sentence(take_quoted())
    printf "The default is %s.\n", initial
}

function print_text() {
    printf ".It Cm %s Ns = Ns Ar text\n", take_field()
    sentence(take_quoted())
    print "The default is none."
}

/^(OPTION|CHOICE|TEXT)\(.*"\)$/ {
    rest = substr($0, index($0, "(") + 1)
    if ($0 ~ /^OPTION/)
        print_number()
    else if ($0 ~ /^CHOICE/)
        print_choice()
    else
        print_text()
    count++
    next
}

/^(OPTION|CHOICE|TEXT)\(/ { fail("not an entry on one line") }

END {
    if (!failed && count == 0)
        fail("no options found")
}
