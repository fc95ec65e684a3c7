set confirm off
set pagination off
set width 0
set exec-wrapper env -u LD_PRELOAD
info functions work1.
list work7
break work80
commands
silent
backtrace
print sum
print *list
print list->next->next->text
info locals
end
run
print work3(5, list)
finish
ptype struct node
info line work60
disassemble work9
tbreak work95
python
total = 0
for block in range(2000):
    total += len(gdb.lookup_global_symbol("main").symtab.filename) + block
print(total > 0)
for i in range(0, 100, 10):
    print(gdb.parse_and_eval("sizeof(struct node)"), gdb.lookup_static_symbol("work%d" % i).type)
end
maint print msymbols -objfile work
continue
python gdb.execute("kill", to_string=True)
quit
