using Kist.Attestation.Dcap;
using Kist.Attestation.EventLogs;

namespace Kist.Attestation.Tdx;

/// <summary>The fields of TDX evidence, for inspection.</summary>
internal static class TdxFields
{
    public static IEnumerable<EvidenceField> Report(int offset, TdReport report)
    {
        const string Path = "quote.body";
        var raw = report.Raw;
        yield return DcapFields.Bytes($"{Path}.tcb_svn", raw, 0, 16, "TDX module SVN, its major version, microcode SVN, …", offset);
        yield return DcapFields.Bytes($"{Path}.mr_seam", raw, 16, 48, "measurement of the TDX module", offset);
        yield return DcapFields.Bytes($"{Path}.mrsigner_seam", raw, 64, 48, "zero: signed by Intel", offset);
        yield return DcapFields.Bytes($"{Path}.seam_attributes", raw, 112, 8, null, offset);
        yield return DcapFields.Bytes($"{Path}.td_attributes", raw, 120, 8, TdAttributes.Describe(report), offset);
        yield return DcapFields.Bytes($"{Path}.xfam", raw, 128, 8, "processor features the guest may use", offset);
        yield return DcapFields.Bytes($"{Path}.mr_td", raw, 136, 48, "measurement of the initial memory", offset);
        yield return DcapFields.Bytes($"{Path}.mr_config_id", raw, 184, 48, "start-up configuration (init-data digest)", offset);
        yield return DcapFields.Bytes($"{Path}.mr_owner", raw, 232, 48, null, offset);
        yield return DcapFields.Bytes($"{Path}.mr_owner_config", raw, 280, 48, null, offset);
        for (var i = 0; i < 4; i++)
            yield return DcapFields.Bytes($"{Path}.rtmr_{i}", raw, 328 + (48 * i), 48, "run-time measurements", offset);
        yield return DcapFields.Bytes($"{Path}.report_data", raw, 520, 64, "chosen by the guest", offset);
        if (report.IsVersion15)
        {
            yield return DcapFields.Bytes($"{Path}.tee_tcb_svn2", raw, 584, 16, "the TDX module running now", offset);
            yield return DcapFields.Bytes($"{Path}.mr_servicetd", raw, 600, 48, "service TDs bound to the guest", offset);
        }
    }

    public static IEnumerable<EvidenceField> Log(ReadOnlyMemory<byte> log)
    {
        if (log.IsEmpty)
            yield break;
        foreach (var field in EventLogFields.List(EventLog.Parse(log), "cc_eventlog"))
            yield return field;
    }
}
