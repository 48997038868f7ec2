// syscall.Mmap without syscall.Munmap. Go makes the system call itself, without C's library: the kernel's list shows the
// mappings, their file, and nobody who made them.
package main

import "C"
import (
	"fmt"
	"io"
	"os"
	"syscall"
)

func look(file *os.File) byte {
	bytes, err := syscall.Mmap(int(file.Fd()), 0, 64<<10, syscall.PROT_READ, syscall.MAP_SHARED) // LEAK mappings 30
	if err != nil {
		panic(err)
	}
	return bytes[0]
}

func main() {
	file, err := os.CreateTemp("", "leaktrack-mapping")
	if err != nil {
		panic(err)
	}
	defer os.Remove(file.Name())
	file.Truncate(64 << 10)
	for i := 0; i < 30; i++ {
		look(file)
	}
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
}
