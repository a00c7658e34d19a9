// SPDX-License-Identifier: Apache-2.0
// Makes a database in the file that it is given, or reads one that is there, by SQLite.

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static sqlite3* database;

static void fail(const char* what) {
  fprintf(stderr, "%s: %s\n", what, sqlite3_errmsg(database));
  exit(1);
}

static void execute(const char* text) {
  if (sqlite3_exec(database, text, 0, 0, 0) != SQLITE_OK) fail(text);
}

static void print_rows(const char* text) {
  sqlite3_stmt* query;
  if (sqlite3_prepare_v2(database, text, -1, &query, 0) != SQLITE_OK) fail(text);
  while (sqlite3_step(query) == SQLITE_ROW) {
    for (int i = 0; i < sqlite3_column_count(query); ++i) {
      const unsigned char* value = sqlite3_column_text(query, i);
      printf("%s%s", i > 0 ? "|" : "", value != 0 ? (const char*)value : "NULL");
    }
    putchar('\n');
  }
  if (sqlite3_finalize(query) != SQLITE_OK) fail(text);
}

static void insert(int count) {
  sqlite3_stmt* row;
  execute("BEGIN");
  if (sqlite3_prepare_v2(database, "INSERT INTO item(name, price, data) VALUES(?, ?, ?)", -1, &row,
                         0) != SQLITE_OK) {
    fail("insert");
  }
  for (int i = 0; i < count; ++i) {
    char name[20];
    snprintf(name, sizeof name, "item %d", i);
    sqlite3_bind_text(row, 1, name, -1, SQLITE_TRANSIENT);
    sqlite3_bind_double(row, 2, i * 0.25);
    sqlite3_bind_blob(row, 3, &i, sizeof i, SQLITE_TRANSIENT);
    if (sqlite3_step(row) != SQLITE_DONE || sqlite3_reset(row) != SQLITE_OK) fail("insert");
  }
  sqlite3_finalize(row);
  execute("COMMIT");
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const int reading = strcmp(argv[1], "read") == 0;
  const int flags =
      reading ? SQLITE_OPEN_READONLY | SQLITE_OPEN_URI : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  if (sqlite3_open_v2(argv[2], &database, flags, 0) != SQLITE_OK) fail(argv[2]);
  if (!reading) {
    execute("CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT UNIQUE, price REAL, data BLOB)");
    insert(10000);
    execute("BEGIN; DELETE FROM item; ROLLBACK");
    execute("UPDATE item SET price = -price WHERE id % 100 = 0");
    execute("DELETE FROM item WHERE id > 9990; VACUUM");
  }
  print_rows("SELECT count(*), sum(price), min(price), max(name) FROM item");
  print_rows(
      "SELECT a.name, b.name FROM item a JOIN item b ON b.id = a.id * 2 "
      "WHERE a.price > 1200 ORDER BY a.price DESC LIMIT 2");
  print_rows("PRAGMA integrity_check");
  if (sqlite3_close(database) != SQLITE_OK) fail("closing");
  return 0;
}
