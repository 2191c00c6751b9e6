/* SPDX-License-Identifier: MIT */
/*
 * Who may not hear any more what waits for it: because a service was switched off, or because a
 * token says less than the one before it.
 */
#include "sim.h"

#include "outbound/replay_buffer.h"

bool model_mutes(struct peer *peer, const struct line *line)
{
	uint32_t own = peer->service < 0 ? UINT32_MAX : 1u << peer->service;
	if (line->is_gone) {
		return true;
	}
	if (line->service < 0 || sim.realms[peer->realm].enabled & own & 1u << line->service) {
		return false;
	}
	if (line->practice >= 0) {
		peer->missed |= peer->opened & 1u << line->service;
	}
	sim.done[60]++;
	return true;
}

static void drop(struct peer *peer, size_t *at)
{
	struct expected *expected = &peer->queue[peer->first + *at];
	sim.may_skipped += expected->may_skip;
	line_unref(expected->line);
	for (size_t i = *at; i + 1 < peer->count; i++) {
		peer->queue[peer->first + i] = peer->queue[peer->first + i + 1];
	}
	peer->count--;
	if (*at == 0 && peer->count > 0) {
		peer->queue[peer->first].at_ms = sim.fake->mono_ms;
	}
	(*at)--;
}

/*
 * How many of the lines that wait were written to a connection that failed with them. The server
 * keeps these for the client, as if it had got them.
 */
static size_t count_written(const struct peer *peer)
{
	const struct px_resume *resume = peer->session->resume;
	if (!peer->is_blurred || !resume || resume->sent <= peer->got) {
		return 0;
	}
	uint64_t written = resume->sent - peer->got;
	return written < peer->count ? (size_t)written : peer->count;
}

void model_drop_muted(struct peer *peer)
{
	for (size_t i = count_written(peer); i < peer->count; i++) {
		if (model_mutes(peer, peer->queue[peer->first + i].line)) {
			drop(peer, &i);
		}
	}
}

static bool is_lost(const struct peer *peer, const struct peer *token, const struct line *line)
{
	bool sinks = (peer->role & PX_ROLES_TEAM) && !(token->role & PX_ROLES_TEAM);
	return !line->is_gone && line->service >= 0 && (sinks || (line->practice >= 0 &&
			find_held(peer, (unsigned)line->practice) >= 0 &&
			find_held(token, (unsigned)line->practice) < 0));
}

/* It has a number, and keeps it. */
static struct line *gone(void)
{
	struct line *line = words_line(words_begin("gone"), 8);
	line->is_gone = true;
	return line;
}

void model_drop_lost(struct peer *peer, const struct peer *token)
{
	size_t written = count_written(peer);
	for (size_t i = 0; i < peer->count; i++) {
		struct line **line = &peer->queue[peer->first + i].line;
		if (!is_lost(peer, token, *line)) {
			continue;
		}
		if (i < written) {
			line_unref(*line);
			*line = gone();
		} else {
			sim.done[61]++;
			drop(peer, &i);
		}
	}
	for (size_t i = 0; i < peer->kept_count; i++) {
		if (is_lost(peer, token, peer->kept[i])) {
			sim.done[62]++;
			line_unref(peer->kept[i]);
			peer->kept[i] = gone();
		}
	}
}
