// A buffer for C that is freed on the usual way only: the early return forgets it.
package main

// #include <stdlib.h>
import "C"
import (
	"errors"
	"fmt"
	"io"
	"os"
	"unsafe"
)

func read(size int) error {
	buffer := C.calloc(1, C.size_t(size)) // LEAK heap 50 blocks, 204800 bytes
	if size%8192 != 0 {
		return errors.New("odd size")
	}
	C.free(unsafe.Pointer(buffer))
	return nil
}

func main() {
	for i := 0; i < 100; i++ {
		read(4096 + i%2*4096)
	}
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
}
