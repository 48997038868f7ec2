// A service with a leak that Go's profiler cannot see: it answers a POST with the length of what was sent, and leaves a C
// string behind each time.
package main

/*
#include <stdlib.h>
#include <string.h>
*/
import "C"
import (
	"fmt"
	"io"
	"log"
	"net/http"
)

func length(text string) int {
	copied := C.CString(text) // LEAK one for each request
	return int(C.strlen(copied))
}

func main() {
	http.HandleFunc("/length", func(answer http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			http.Error(answer, err.Error(), http.StatusBadRequest)
			return
		}
		fmt.Fprintln(answer, length(string(body)))
	})
	log.Fatal(http.ListenAndServe(":8080", nil))
}
