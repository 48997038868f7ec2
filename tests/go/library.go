// A Go library for a host in C: what it takes from C's heap has a stack that begins and ends in C.
package main

/*
#include <stdlib.h>
static void *take(size_t size) { return malloc(size); }
*/
import "C"

//export GoTake
func GoTake(count C.int) {
	for i := 0; i < int(count); i++ {
		C.take(40) // LEAK from a host in C
	}
}

func main() {}
