using System.Data.Common;
using Kist.KeyBroker.Storage;

namespace Kist.KeyBroker.Audit;

/// <summary>Finds entries by time. There is no index of times: entries come in their order, so that halving finds any.</summary>
static class AuditOrder
{
    /// <summary>The position of the first entry of this time or later; the size of the log if there is none.</summary>
    public static long FirstAt(DbConnection connection, DateTimeOffset time)
    {
        var low = AuditCheckpoint.SizeOfLatest(connection);
        var high = connection.Scalar<long>("SELECT size FROM audit_size WHERE id = 1");
        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            var at = connection.Scalar<long>("SELECT at FROM audit_entry WHERE sequence = @sequence", ("@sequence", middle));
            if (at < time.ToUnixTimeMilliseconds())
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }
}
