// A Go program: no .debug_aranges, no GNU build-id, names with dots.
package main

import "fmt"

func take(size int) []byte { return make([]byte, size) }

//go:noinline
func work(count int) int {
	sum := 0
	for i := 0; i < count; i++ {
		sum += len(take(i))
	}
	add := func(x int) int { return sum + x }
	return add(3)
}

func main() { fmt.Println(work(10)) }
