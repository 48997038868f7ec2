// Files that are written and read stay in memory as page cache. It counts to the container, not to the process: there,
// "memory" grows with every file, and nothing leaks.
package main

import "C"
import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func archive(directory string, number int, block []byte) error {
	file, err := os.Create(filepath.Join(directory, fmt.Sprint("segment-", number)))
	if err != nil {
		return err
	}
	defer file.Close()
	for i := 0; i < 8; i++ {
		if _, err := file.Write(block); err != nil { // NO LEAK page-cache 64 MiB
			return err
		}
	}
	return nil
}

func main() {
	directory, err := os.MkdirTemp(".", "leaktrack-pagecache")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(directory)
	block := make([]byte, 1<<20)
	for i := 0; i < 8; i++ {
		if err := archive(directory, i, block); err != nil {
			panic(err)
		}
	}
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
}
