// The peer has closed, we have not: sockets in CLOSE_WAIT, the classic leak of servers.
package main

import "C"
import (
	"fmt"
	"io"
	"net"
	"os"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	var forgotten []net.Conn
	for i := 0; i < 25; i++ {
		peer, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			panic(err)
		}
		connection, err := listener.Accept() // LEAK descriptors socket 25 CLOSE_WAIT
		if err != nil {
			panic(err)
		}
		forgotten = append(forgotten, connection)
		peer.Close()
	}
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
	for _, connection := range forgotten {
		connection.Close()
	}
}
