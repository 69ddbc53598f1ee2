/**
 * Milliseconds: how late the event loop comes to what is due, or how long a request waits for a database connection,
 * before guests are refused, and before everybody is. Tests change them; nothing else does.
 */
export const loadBounds = { guests: 400, everybody: 1_200 };
