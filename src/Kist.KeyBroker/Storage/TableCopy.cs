using System.Data.Common;
using Kist.Formats;

namespace Kist.KeyBroker.Storage;

/// <summary>Copies every row of one database into another that has the same schema and no rows.</summary>
static class TableCopy
{
    /// <summary>Copies what was there at one moment, in one transaction of the target.</summary>
    /// <exception cref="OperationFailedException">The target has been used.</exception>
    public static void Run(Database source, Database target) => source.Read(from =>
    {
        target.Write(to =>
        {
            var used = to.Scalar<long>("SELECT COUNT(*) FROM meta") + to.Scalar<long>("SELECT COUNT(*) FROM admin_token");
            if (used > 0)
                throw new OperationFailedException("restore the broker", "database", "a broker has used it", "give a new, empty database");
            foreach (var table in Schema.CopiedTables)
                Copy(from, to, table);
        });
        return true;
    });

    private static void Copy(DbConnection from, DbConnection to, string table)
    {
        // The schema itself puts a first row into some.
        to.Execute($"DELETE FROM {table}");
        string? insert = null;
        from.Visit($"SELECT * FROM {table}", row =>
        {
            var names = Enumerable.Range(0, row.FieldCount).Select(row.GetName).ToList();
            insert ??= $"INSERT INTO {table} ({string.Join(", ", names)}) VALUES ({string.Join(", ", names.Select(n => $"@{n}"))})";
            to.Execute(insert, [.. names.Select((n, i) => ($"@{n}", row.IsDBNull(i) ? null : row.GetValue(i)))]);
        });
    }
}
