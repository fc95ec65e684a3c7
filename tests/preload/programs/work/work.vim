" Substitutions, macros, sorting, undo, folds, buffers, functions, regular expressions.
set nomore hidden undolevels=1000
%s/\v(\w+) (\w+)/\2-\1/g
silent! g/^\d*7/move 0
silent! v/a/delete
%sort n
normal gg
let @q = "yyp\<C-A>"
normal 20@q
let g:words = {}
for line in getline(1, '$')
    for word in split(line, '\W\+')
        let g:words[word] = get(g:words, word, 0) + 1
    endfor
endfor
let g:top = sort(items(g:words), {a, b -> b[1] == a[1] ? (a[0] < b[0] ? -1 : 1) : b[1] - a[1]})
call append('$', map(copy(g:top[0:20]), 'v:val[0] . " " . v:val[1]'))
normal ggVGJ
undo
write! first.out
%s/[aeiou]/\=toupper(submatch(0))/g
for i in range(50)
    undo
    redo
endfor
new other
call setline(1, map(range(5000), 'printf("%05d %s", v:val, repeat("x", v:val % 40))'))
silent! global/x\{30,}/normal dwP
write! second.out
bufdo %s/0/o/ge
wall! 
redir! > messages.out
echo len(g:words) strlen(join(getline(1, '$')))
redir END
qall!
