/* SPDX-License-Identifier: MIT */
/*
 * The commands of praxisctl. Each gets the arguments from its own last word on, reads its
 * options itself and returns the exit code: 0, 1 if the answer is no, 2 if it could not ask.
 */
#ifndef PX_TOOLS_COMMANDS_H
#define PX_TOOLS_COMMANDS_H

#define PX_CTL_FINE 0
#define PX_CTL_NO 1
#define PX_CTL_USAGE 2 /* the command line, or what it names, is wrong */

int px_ctl_audit_verify(int argc, char **argv);
int px_ctl_token(int argc, char **argv);

#endif
