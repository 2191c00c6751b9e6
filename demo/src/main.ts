// SPDX-License-Identifier: MIT
//
// The demonstration: a practice's board and its video call, made with the client package alone.

import { BoardView } from './board/view.js';
import { CallView } from './call/view.js';
import { startShell } from './shell/shell.js';

const board = new BoardView();
const call = new CallView();

startShell([board, call], [call]);
