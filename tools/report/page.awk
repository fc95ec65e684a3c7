# page.awk: text files as C strings. Called with pairs NAME=FILE in the variable "parts", blanks between them.

# By the letter: what backslashes mean in the second argument of gsub() differs from awk to awk. No trigraphs.
function escaped(text,    i, letter, before, result) {
    result = ""
    for (i = 1; i <= length(text); i++) {
        letter = substr(text, i, 1)
        if (letter == "\\" || letter == "\"" || (letter == "?" && before == "?"))
            result = result "\\"
        result = result letter
        before = letter
    }
    return result
}

BEGIN {
    print "/* Made by page.awk. */"
    print "#include \"tools/report/page.h\""
    count = split(parts, list, " ")
    for (i = 1; i <= count; i++) {
        name = substr(list[i], 1, index(list[i], "=") - 1)
        file = substr(list[i], index(list[i], "=") + 1)
        print "\nconst char " name "[] ="
        lines = 0
        while ((result = getline line < file) > 0) {
            print "    \"" escaped(line) "\\n\""
            lines++
        }
        if (result < 0 || lines == 0) {
            print "page.awk: can't read " file > "/dev/stderr"
            exit 1
        }
        close(file)
        print "    ;"
    }
}
