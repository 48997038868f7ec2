// A watcher for each request: inotify instances are few (128 for each user by default).
package main

import "C"
import (
	"fmt"
	"io"
	"os"
	"syscall"
)

func watch(directory string) {
	watcher, err := syscall.InotifyInit1(syscall.IN_CLOEXEC) // LEAK descriptors event 15
	if err != nil {
		panic(err)
	}
	syscall.InotifyAddWatch(watcher, directory, syscall.IN_CREATE)
}

func main() {
	for i := 0; i < 15; i++ {
		watch("/tmp")
	}
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
}
