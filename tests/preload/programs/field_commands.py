"""field_commands: programs from all over, chosen for how differently they use memory: run-times with collectors, stacks or compilers
of their own, office and graphics programs with a hundred libraries, interpreters that keep pointers in odd ways.

Each is a shell script in a folder of its own; what it leaves there and says must be the same on every run, so it works in
`scratch`, which is removed, and counts or sums what holds times or random names.
"""

import functools

from commands import shell
from inputs import text_file, write

SOURCES = {
    "a.hs": "import qualified Data.Map as M\nmain = print (M.foldr (+) 0 (M.fromList [(i, i * i) | i <- [1 .. 100000 :: Int]]))\n",
    "a.ml": "let () = let h = Hashtbl.create 10 in for i = 0 to 100000 do Hashtbl.replace h i (string_of_int i) done; Printf.printf \"%d\\n\" (Hashtbl.length h)\n",
    "a.cs": "using System; using System.Collections.Generic; using System.Threading; class A { static void Main() { var d = new Dictionary<int, string>(); "
            "for (int i = 0; i < 200000; i++) d[i] = i.ToString(); var t = new Thread(() => Console.WriteLine(d.Count)); t.Start(); t.Join(); GC.Collect(); } }\n",
    "a.rs": "use std::{collections::HashMap, thread}; fn main() { let threads: Vec<_> = (0..4).map(|k| thread::spawn(move || { let mut m = HashMap::new(); "
            "for i in 0..50000u64 { m.insert(i, format!(\"{}\", i * k)); } m.len() })).collect(); let sum: usize = threads.into_iter().map(|t| t.join().unwrap()).sum(); println!(\"{}\", sum); }\n",
    "a.go": "package main\nimport \"fmt\"\nfunc main() { m := map[int]string{}; for i := 0; i < 100000; i++ { m[i] = fmt.Sprint(i) }; fmt.Println(len(m)) }\n",
    "a.scm": "(define (f n) (if (< n 2) n (+ (f (- n 1)) (f (- n 2))))) (display (f 22)) (newline) (display (length (iota 100000))) (newline)\n",
    "a.rkt": "#lang racket/base\n(define h (make-hash))\n(for ([i 100000]) (hash-set! h i (number->string i)))\n(displayln (hash-count h))\n",
    "a.lisp": "(let ((h (make-hash-table))) (dotimes (i 100000) (setf (gethash i h) (format nil \"~a\" i))) (print (hash-table-count h)) (terpri))\n",
    "a.R": "set.seed(1); m <- matrix(runif(40000), 200); print(round(det(m) / 1e20, 3)); print(length(unlist(lapply(1:20000, function(i) paste(i)))))\n"
           "d <- data.frame(a = 1:1000, b = rnorm(1000)); print(dim(merge(d, d, by = 'a')))\n",
    "a.m": "a = magic(200); printf(\"%g\\n\", sum(sum(a * a))); s = struct(); for i = 1:2000 s.(sprintf(\"f%d\", i)) = i; end; printf(\"%d\\n\", numel(fieldnames(s)));\n",
    "a.tcl": "for {set i 0} {$i < 100000} {incr i} {set a($i) [expr $i * $i]}\nputs [array size a]\n",
    "a.pl": ":- initialization((numlist(1, 100000, L), length(L, N), print(N), nl, halt)).\n",
    "a.dot": "digraph g {" + "".join(f"n{i} -> n{(i * 7 + 3) % 120};" for i in range(120)) + "}\n",
    "a.gp": "set terminal svg; set output '/dev/stdout'; plot [x=0:10] sin(x), x**2\n",
    "a.pov": "camera { location <0, 2, -3> look_at 0 } light_source { <2, 4, -3> color rgb 1 } sphere { <0, 1, 2>, 1 pigment { color rgb <1, 0, 0> } }\n",
    "a.md": "# Title\n\n" + "\n\n".join(f"para *{i}* **x** [a](b)" for i in range(2000)) + "\n",
    "a.html": "<html><body>" + "".join(f"<p>par {i}</p>" for i in range(500))
              + "<script>document.body.append(Array.from({length: 1000}, (_, i) => i * i).reduce((a, b) => a + b, 0))</script></body></html>\n",
    "a.pas": "program a; var i, s: longint; l: array of ansistring; begin setlength(l, 1000); for i := 0 to 999 do str(i, l[i]); s := 0; for i := 0 to 999 do s := s + length(l[i]); writeln(s); end.\n",
    "a.vala": "int main() { var h = new GLib.HashTable<string, int>(str_hash, str_equal); for (int i = 0; i < 20000; i++) h.insert(i.to_string(), i); print(\"%u\\n\", h.size()); return 0; }\n",
    "a.svg": '<svg xmlns="http://www.w3.org/2000/svg" width="200" height="200"><circle cx="100" cy="100" r="80" fill="red"/><text x="20" y="50">hi</text></svg>\n',
    "a.csv": "\n".join(f"{i},{i * i},{'x' * (i % 7)}" for i in range(3000)) + "\n",
    "a.ex": "m = for i <- 1..50000, into: %{}, do: {i, Integer.to_string(i)}\nIO.puts map_size(m)\n"
            "IO.inspect Enum.map(for(k <- 1..8, do: Task.async(fn -> Enum.sum(1..(k * 10000)) end)), &Task.await/1)\n",
    "a.clj": "(println (count (into {} (map (fn [i] [i (str i)]) (range 50000)))))\n",
    "a.erl": "M = maps:from_list([{I, integer_to_list(I)} || I <- lists:seq(1, 100000)]), io:format(\"~p~n\", [maps:size(M)]), "
             "Ps = [spawn_monitor(fun() -> lists:sum(lists:seq(1, 10000)) end) || _ <- lists:seq(1, 200)], [receive {'DOWN', R, _, _, _} -> ok end || {_, R} <- Ps], halt().",
    "a.scheme.gimp": "(let* ((im (car (gimp-image-new 100 100 RGB))) (l (car (gimp-layer-new im 100 100 RGB-IMAGE \"a\" 100 LAYER-MODE-NORMAL)))) (gimp-image-insert-layer im l 0 0) "
                     "(gimp-context-set-foreground '(255 0 0)) (gimp-drawable-fill l FILL-FOREGROUND) (plug-in-gauss 1 im l 5 5 0) (file-bmp-save 1 im l \"scratch/o.bmp\" \"o\"))",
    "CMakeLists.txt": "cmake_minimum_required(VERSION 3.10)\nproject(a CXX)\nadd_executable(a a.cpp)\n",
    "a.cpp": "#include <iostream>\n#include <map>\n#include <string>\nint main() { std::map<int, std::string> m; for (int i = 0; i < 1000; i++) m[i] = std::to_string(i); std::cout << m.size() << std::endl; }\n",
}


def sources(folder):
    for name, text in SOURCES.items():
        write(folder, name, text)
    text_file("text", 20000)(folder)


def field(program, text):
    """In `scratch`, which is also the home folder."""
    script = f"mkdir scratch; export HOME=$PWD/scratch LC_ALL=C.UTF-8 TZ=UTC; unset DISPLAY; {text}; rm -rf scratch"
    return functools.partial(shell(program, script, sources, least_output=2))


FIELD = tuple((name, field(program, text)) for name, program, text in (
    ("R", "Rscript", "Rscript --vanilla a.R"),
    ("chromium", "chromium", "chromium --headless --no-sandbox --disable-gpu --user-data-dir=$HOME/u --dump-dom file://$PWD/a.html 2>/dev/null | cksum"),
    ("clojure", "clojure", "clojure a.clj"),
    ("cmake", "cmake", "cd scratch; cp ../a.cpp ../CMakeLists.txt .; cmake -G Ninja . >/dev/null && ninja >/dev/null && ./a; cd .."),
    ("curl", "curl", "curl -s file://$PWD/text | cksum"),
    ("dot", "dot", "dot -Tsvg a.dot | cksum"),
    ("elixir", "elixir", "elixir a.ex"),
    ("erlang", "erl", 'erl -noshell -eval "$(cat a.erl)"'),
    ("ffmpeg", "ffmpeg", "ffmpeg -v error -f lavfi -i testsrc=duration=2:size=320x240:rate=15 -f lavfi -i sine=frequency=440:duration=2 -c:v mpeg4 -threads 4 "
     "-flags +bitexact -fflags +bitexact -c:a pcm_s16le -f avi - | cksum"),
    ("firefox", "firefox-esr", "timeout 100 firefox-esr --headless --no-remote --profile $HOME --screenshot $HOME/s.png file://$PWD/a.html >/dev/null 2>&1; head -c 4 $HOME/s.png | cksum"),
    ("fish", "fish", "fish -c 'seq 3000 | string join x | string length'"),
    ("fpc", "fpc", "cd scratch; cp ../a.pas .; fpc a.pas >/dev/null 2>&1; ./a; cd .."),
    ("gap", "gap", "echo 'Size(SymmetricGroup(20)); Length(ConjugacyClasses(SymmetricGroup(12)));' | gap -q -A"),
    ("gawk", "gawk", "gawk '{a[$1 FS $2] += length($0)} END {n = 0; for (k in a) n += a[k]; print n}' text"),
    ("ghc", "ghc", "cd scratch; cp ../a.hs .; ghc -O -threaded a.hs >/dev/null 2>&1; ./a +RTS -N2; cd .."),
    ("gimp", "gimp", "timeout 100 gimp -i -d -f -b \"$(cat a.scheme.gimp)\" -b '(gimp-quit 0)' >/dev/null 2>&1; cksum <scratch/o.bmp"),
    ("gnuplot", "gnuplot", "gnuplot a.gp | cksum"),
    ("go", "go", "cp a.go scratch; (cd scratch; GOCACHE=$HOME/c go run a.go); chmod -R u+w scratch"),
    ("gp", "gp", "echo 'factor(2^101-1); #primes([1,100000])' | gp -q -f"),
    ("gpg", "gpg", "export GNUPGHOME=$HOME/g; mkdir -m 700 $GNUPGHOME; o='--batch --quiet --passphrase x --pinentry-mode loopback'; gpg $o -c -o $HOME/o text; "
     "gpg $o -d $HOME/o 2>/dev/null | cksum; gpgconf --kill all"),
    ("guile", "guile", "guile --no-auto-compile a.scm"),
    ("imagemagick", "convert", "convert -size 300x300 gradient:red-blue -blur 0x3 -rotate 30 -resize 50% rgb:- | cksum"),
    ("inkscape", "inkscape", "timeout 60 inkscape a.svg --export-type=png -o scratch/o.png 2>/dev/null; convert scratch/o.png rgb:- | cksum"),
    ("jq", "jq", "seq 50000 | jq -s 'map(. * 2) | add'"),
    ("libreoffice", "soffice", "o='-env:UserInstallation=file://'$HOME/p' --headless --convert-to'; soffice $o ods --outdir scratch a.csv >/dev/null 2>&1; "
     "soffice $o csv --outdir scratch/o scratch/a.ods >/dev/null 2>&1; cksum <scratch/o/a.csv"),
    ("maxima", "maxima", "maxima --very-quiet --batch-string='factor(x^20-1); integrate(1/(x^4+1),x);'"),
    ("mono", "mono", "mcs -out:scratch/a.exe a.cs && mono scratch/a.exe"),
    ("ocaml", "ocaml", "ocaml a.ml"),
    ("octave", "octave-cli", "octave-cli --no-gui --norc a.m"),
    ("pandoc", "pandoc", "pandoc -t html a.md | cksum"),
    ("racket", "racket", "racket a.rkt"),
    ("rsync", "rsync", "rsync -a /usr/share/doc/bash/ scratch/; rsync -ac --stats /usr/share/doc/bash/ scratch/ | grep -E 'Number of (reg|files)'"),
    ("rustc", "rustc", "rustc -O -o scratch/a a.rs && scratch/a"),
    ("sbcl", "sbcl", "sbcl --script a.lisp"),
    ("sox", "sox", "sox -n -t wav - synth 2 sine 440 reverb | cksum"),
    ("swipl", "swipl", "swipl a.pl"),
    ("tcl", "tclsh", "tclsh a.tcl"),
    ("tmux", "tmux", "export TMUX_TMPDIR=$HOME; tmux -f /dev/null new -d -s a 'seq 500; sleep 1'; tmux list-sessions -F '#{session_name}'; tmux kill-server"),
    ("tshark", "tshark", "tshark -G protocols 2>/dev/null | cksum"),
    ("vala", "valac", "cd scratch; cp ../a.vala .; valac a.vala >/dev/null 2>&1 && ./a; cd .."),
    ("zsh", "zsh", "zsh -fc 'typeset -A h; for i in {1..20000}; do h[$i]=x$i; done; print ${#h}'"),
))
