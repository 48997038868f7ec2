/* A module that comes and goes; built several times with another PLUGIN_ROOM, so that equal addresses have other rules.
 */
void plugin_call(void (*callback)(void));

void plugin_call(void (*callback)(void)) {
    volatile char room[PLUGIN_ROOM];
    room[0] = 1;
    callback();
    room[PLUGIN_ROOM - 1] = 2;
}
