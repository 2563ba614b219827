-- What an import brought is found by the id of the import: to list imports, and to take one back.
create index log_imports on log ((meta->>'importId')) where meta->>'importId' is not null;
