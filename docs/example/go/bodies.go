// Response bodies that nobody closes: their connections stay open. And files, likewise.
package main

import "C"
import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
)

// Both ends of the connection are in this program.
func get(client *http.Client, address string) int {
	response, err := client.Get("http://" + address) // LEAK descriptors socket 40
	if err != nil {
		panic(err)
	}
	return response.StatusCode
}

func read() {
	file, _ := os.Open("/etc/hostname") // LEAK descriptors file 10
	keep = append(keep, file)
}

var keep []*os.File

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go http.Serve(listener, http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) {
		out.Write(make([]byte, 1<<20)) // more than the buffers take
	}))
	client := &http.Client{Transport: &http.Transport{}}
	for i := 0; i < 20; i++ {
		get(client, listener.Addr().String())
	}
	for i := 0; i < 10; i++ {
		read()
	}
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
}
