# page.awk: text files as C strings. Called with pairs NAME=FILE in the variable "parts", blanks between them.
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
            gsub(/\\/, "\\\\", line)
            gsub(/"/, "\\\"", line)
            # No trigraphs.
            gsub(/\?\?/, "?\\?", line)
            print "    \"" line "\\n\""
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
