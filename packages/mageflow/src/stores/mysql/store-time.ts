/** The store's time, in SQL: whole milliseconds of the server's clock, whatever its time zone. */
export const NOW = "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000)";
