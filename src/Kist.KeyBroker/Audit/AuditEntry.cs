using System.Data.Common;
using Kist.KeyBroker.Storage;

namespace Kist.KeyBroker.Audit;

/// <summary>An entry as stored.</summary>
sealed record AuditEntry(long Sequence, DateTimeOffset At, byte[] Body)
{
    /// <summary>Of the columns sequence, at, body.</summary>
    public static AuditEntry Read(DbDataReader r) => new(r.GetInt64(0), r.Time(1), r.Bytes(2));
}
