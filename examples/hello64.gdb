# gdb -nx -batch -ex 'file examples/hello64.elf' \
#	-ex 'target remote | gdbvisor -g stdio examples/hello64.elf' -x examples/hello64.gdb
set pagination off
set confirm off

break main
continue
info registers rip
stepi 3
x/3i $pc
tbreak square if n == 5
continue
backtrace
if n != 5
	echo the condition on square was not kept\n
	quit 1
end
finish
if $ != 25
	echo square(5) should be 25\n
	quit 2
end
tbreak tick
continue
print table[5]
if table[5].square != 25
	echo the table should be filled\n
	quit 3
end
# let it out
set var leave = 1
delete
continue
if $_isvoid($_exitcode) || $_exitcode != 1
	echo it should have left with status 1\n
	quit 4
end
echo hello64: as expected\n
quit 0
