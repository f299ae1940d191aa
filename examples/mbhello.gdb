# gdb -nx -batch -ex 'file examples/mbhello.elf' \
#	-ex 'target remote | gdbvisor -g stdio -a "one two" -i "examples/boot.bin its arguments" examples/mbhello.elf' \
#	-x examples/mbhello.gdb
set pagination off
set confirm off

break main
continue
backtrace
print/x *info
if magic != 0x2badb002
	echo the loader's magic is missing\n
	quit 1
end
print (char *)info->command_line
tbreak show_module
continue
print/x *m
if m->end - m->start != 512
	echo the module should have 512 bytes\n
	quit 2
end
up
continue
if $_isvoid($_exitcode) || $_exitcode != 1
	echo it should have left with status 1\n
	quit 3
end
echo mbhello: as expected\n
quit 0
