/** The store's time, in SQL: whole milliseconds of the server's clock. */
export const NOW = "floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
