# gdb -nx -batch -ex 'file examples/mb2hello.elf' \
#	-ex 'target remote | gdbvisor -g stdio -a "one two" -i "examples/boot.bin its arguments" examples/mb2hello.elf' \
#	-x examples/mb2hello.gdb
set pagination off
set confirm off

break main
continue
backtrace
print/x *info
if magic != 0x36d76289
	echo the loader's magic is missing\n
	quit 1
end
tbreak show_tag if t->type == 1
continue
print (char *)t->value
tbreak show_module
continue
print/x *t
if t->value[1] - t->value[0] != 512
	echo the module should have 512 bytes\n
	quit 2
end
up
continue
if $_isvoid($_exitcode) || $_exitcode != 1
	echo it should have left with status 1\n
	quit 3
end
echo mb2hello: as expected\n
quit 0
