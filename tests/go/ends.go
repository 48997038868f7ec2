// Does what the lines of its input say: a number takes so many blocks, "exit" ends it. It idles in between, and leaves the
// signals to Go's runtime.
package main

/*
#include <stdlib.h>
static void *take(size_t size) { return malloc(size); }
*/
import "C"
import (
	"bufio"
	"fmt"
	"os"
	"strconv"
)

func take(count int) {
	for i := 0; i < count; i++ {
		C.take(48) // LEAK taken
	}
}

func main() {
	fmt.Println("ready")
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		if lines.Text() == "exit" {
			os.Exit(3)
		}
		count, err := strconv.Atoi(lines.Text())
		if err != nil {
			panic(err)
		}
		take(count)
		fmt.Println("taken", count)
	}
}
