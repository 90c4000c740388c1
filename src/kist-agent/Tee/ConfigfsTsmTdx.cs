using Kist.Formats;
using Kist.Linux.Devices;

namespace Kist.Agent.Tee;

/// <summary>
/// TDX on hardware: quotes by configfs-tsm (Linux 6.7), the TD report by /dev/tdx_guest, RTMR3 by the measurement
/// registers in sysfs (Linux 6.16). It has not run on hardware yet: docs/limitations.md.
/// </summary>
sealed class ConfigfsTsmTdx(ConfigfsReport reports) : ITee, IDisposable
{
    private const string Registers = "/sys/devices/virtual/misc/tdx_guest/measurements", EventLog = "/sys/firmware/acpi/tables/data/CCEL";

    /// <summary>TDREPORT_STRUCT: REPORTMACSTRUCT 256, TEE_TCB_INFO 239, reserved 17, TDINFO at 0x200, whose MRCONFIGID is at 0x40.</summary>
    private const int ReportSize = 1024, MrConfigIdOffset = 0x200 + 0x40, MaximumEventLog = 1 << 20;

    private readonly RuntimeEventLog _events = new();
    private readonly SemaphoreSlim _extending = new(1, 1);

    public string Tee => "tdx";

    public bool IsSimulated => false;

    public Task<byte[]> GetInitDataFieldAsync(CancellationToken cancellationToken)
    {
        using var device = File.OpenHandle("/dev/tdx_guest", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        // struct tdx_report_req: 64 bytes of report data in, 1024 bytes of report out.
        var block = new byte[TdxEvidence.ReportDataSize + ReportSize];
        DeviceControl.Call(device, DeviceControl.ReadWriteRequest('T', 1, (ushort)block.Length), block, "get TD report", "/dev/tdx_guest");
        return Task.FromResult(block.AsSpan(TdxEvidence.ReportDataSize + MrConfigIdOffset, TdxEvidence.MrConfigIdSize).ToArray());
    }

    public async Task<ReadOnlyMemory<byte>> GetEvidenceAsync(ReadOnlyMemory<byte> reportData, CancellationToken cancellationToken)
    {
        await _extending.WaitAsync(cancellationToken);
        try
        {
            var (quote, _) = reports.Request(TdxEvidence.PadReportData(reportData));
            return TdxEvidence.ToJson(quote, ReadEventLog());
        }
        finally
        {
            _extending.Release();
        }
    }

    public async Task<bool> ExtendAsync(string domain, string operation, string content, CancellationToken cancellationToken)
    {
        var register = $"{Registers}/rtmr{RuntimeEventLog.Register}:sha384";
        if (!File.Exists(register))
            return false;
        var (tagged, digest) = RuntimeEventLog.Describe(domain, operation, content);
        await _extending.WaitAsync(cancellationToken);
        try
        {
            // Writing a digest extends the register by it.
            await File.WriteAllBytesAsync(register, digest, cancellationToken);
            _events.Add(tagged, digest);
            return true;
        }
        finally
        {
            _extending.Release();
        }
    }

    public void Dispose() => _extending.Dispose();

    private byte[] ReadEventLog()
    {
        if (!File.Exists(EventLog))
            return [];
        using var file = File.OpenRead(EventLog);
        var buffer = new byte[MaximumEventLog];
        var length = file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        return length < buffer.Length
            ? _events.Append(FirmwareEventLog.Used(buffer.AsSpan(0, length)))
            : throw new OperationFailedException("read event log", EventLog, $"it is longer than {MaximumEventLog} bytes");
    }
}
