// One thread loads and unloads a library while three allocate: the classic deadlock of unwinders that ask the loader.
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

static atomic_int stop;

static void *churn(void *argument) {
    (void)argument;
    while (!atomic_load(&stop))
        for (int i = 0; i < 100; i++)
            free(malloc((size_t)(i * 3)));
    return NULL;
}

int main(void) {
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, churn, NULL);
    for (int i = 0; i < 300; i++) {
        void *library = dlopen("libz.so.1", RTLD_NOW | RTLD_LOCAL);
        if (!library)
            return 1;
        dlclose(library);
    }
    atomic_store(&stop, 1);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
