/* A module that comes and goes; built several times with another PLUGIN_ROOM, so that equal addresses have other rules.
 */
void plugin_call(void (*callback)(void));

void plugin_call(void (*callback)(void)) {
    char room[PLUGIN_ROOM];
    __asm__ volatile("" ::"r"(room) : "memory");
    callback();
    __asm__ volatile("" ::"r"(room) : "memory");
}
