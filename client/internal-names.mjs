// SPDX-License-Identifier: MIT
//
// Members of classes that nobody outside of a bundle has: shortened, as minifiers do to the names
// of variables. None of them is a field of a message, of an option, or of anything of the browser's;
// test/package/names.test.ts compares them with what is exported.

export const internal = `
	abandon ahead atLeastMs awaitConfirmation broken confirm confirmed dead dialling doubt drain emit
	established feed flying forget former gap giveUp hold isBroken isBusy isOpen isSet letIn live
	look loudness measure member mends meter opened packets pause peer pong prepare recovery
	restart retire setTrack settle shown stopSharing theirs told typingUntil
	updates wanted write
`
	.trim()
	.split(/\s+/);
