// C.CString without C.free: a copy of the string in C's heap, which Go's collector and pprof know nothing of.
package main

/*
#include <stdlib.h>
#include <string.h>
*/
import "C"
import (
	"fmt"
	"io"
	"os"
)

func length(name string) int {
	text := C.CString(name) // LEAK heap 100 blocks, 2700 bytes
	return int(C.strlen(text))
}

func main() {
	for i := 0; i < 100; i++ {
		length("a name of twenty-six bytes")
	}
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
}
