/* SPDX-License-Identifier: MIT */
/*
 * The commands of praxisctl. Each gets the arguments from its own last word on, reads its
 * options itself and returns the exit code.
 */
#ifndef PX_TOOLS_COMMANDS_H
#define PX_TOOLS_COMMANDS_H

int px_ctl_audit_verify(int argc, char **argv);
int px_ctl_clients(int argc, char **argv);
int px_ctl_disable(int argc, char **argv);
int px_ctl_disconnect(int argc, char **argv);
int px_ctl_enable(int argc, char **argv);
int px_ctl_locks(int argc, char **argv);
int px_ctl_ping(int argc, char **argv);
int px_ctl_plugin_check(int argc, char **argv);
int px_ctl_publish(int argc, char **argv);
int px_ctl_rooms(int argc, char **argv);
int px_ctl_services(int argc, char **argv);
int px_ctl_stats(int argc, char **argv);
int px_ctl_tail(int argc, char **argv);
int px_ctl_token(int argc, char **argv);
int px_ctl_unlock(int argc, char **argv);

#endif
