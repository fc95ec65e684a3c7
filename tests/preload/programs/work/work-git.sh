# A repository with a history: commits, branches, a merge with a conflict, packing, searching, blaming, cloning.
git init -q -b main r
cd r
git config pack.threads 1
cp -r ../tree/a0 ../tree/a1 .
for i in 1 2 3 4 5 6 7; do
    cp -r ../tree/a$((i % 7)) "copy$i"
    sed "s/^/$i /" ../tree/a1/b1/file1.txt >same.txt
    echo "line $i" >>log.txt
    git add -A
    git commit -q -m "change $i"
done
git checkout -q -b side HEAD~4
echo "another line" >>log.txt
git mv copy1 moved
git commit -q -a -m "on the side"
git checkout -q main
git merge -q side || true
git status --porcelain | head -20
git checkout --ours log.txt
git add -A
git commit -q -m "merged"
git log --graph --stat --format='%H %an %s'
git log -p --format=%h -3 | cksum
git blame -s log.txt
git grep -c 'a' HEAD -- '*.txt' | head -50
git diff HEAD~3 --word-diff | cksum
git repack -q -a -d -f --depth=10
git gc -q
git fsck --full --strict
git cat-file --batch-all-objects --batch-check
git bundle create -q ../all.bundle --all
cd ..
git clone -q all.bundle clone 2>&1
git -C clone log --oneline
git -C clone rev-parse 'HEAD^{tree}'
git -C clone archive HEAD | tar -t | sort
# What holds inode numbers and times.
rm -rf r clone
