/* SPDX-License-Identifier: MIT */
/* What praxisctl's exit codes mean. */
#ifndef PX_TOOLS_EXIT_CODES_H
#define PX_TOOLS_EXIT_CODES_H

#define PX_CTL_FINE 0
#define PX_CTL_NO 1          /* the answer is no: refused, not found */
#define PX_CTL_USAGE 2       /* the command line, or what it names, is wrong */
#define PX_CTL_UNREACHABLE 3 /* there is no server, or it does not answer in time */
#define PX_CTL_UNAUTHORISED 4 /* it does not take the token, or not for this */

#endif
