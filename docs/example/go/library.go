// A C library whose object has to be ended: zlib keeps a quarter of a megabyte for each deflateInit without deflateEnd.
package main

/*
#cgo LDFLAGS: -lz
#include <stdlib.h>
#include <zlib.h>
static z_stream *begin(void) {
    z_stream *stream = calloc(1, sizeof *stream);
    deflateInit(stream, Z_DEFAULT_COMPRESSION);
    return stream;
}
*/
import "C"
import (
	"fmt"
	"io"
	"os"
	"unsafe"
)

func compress() {
	stream := C.begin()                  // LEAK heap
	defer C.free(unsafe.Pointer(stream)) // frees the handle, not what it holds
}

func main() {
	for i := 0; i < 20; i++ {
		compress()
	}
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
}
