/** An id and those that it stands below, its root's last: an id is a path, each part of it behind a dot. */
export function ancestry(id: string): string[] {
  const ids = [id];
  for (let dot = id.lastIndexOf("."); dot > 0; dot = id.lastIndexOf(".", dot - 1)) ids.push(id.slice(0, dot));
  return ids;
}
