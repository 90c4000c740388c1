using System.Collections.Immutable;
using Kist.Measurement;

namespace Kist.Simulator.Tdx;

/// <summary>
/// Writes the TD report body of a quote (Intel TDX DCAP Quote Generation Library, appendix 3.2).
/// <code>
///   0 16 TEE_TCB_SVN     16 48 MRSEAM      64 48 MRSIGNERSEAM   112  8 SEAMATTRIBUTES   120  8 TDATTRIBUTES
/// 128  8 XFAM           136 48 MRTD       184 48 MRCONFIGID     232 48 MROWNER          280 48 MROWNERCONFIG
/// 328 192 RTMR0–3       520 64 REPORTDATA
/// </code>
/// </summary>
static class TdReportWriter
{
    public const int Size = 584;

    /// <summary>TDATTRIBUTES.SEPT_VE_DISABLE, bit 28: what Linux guests ask for.</summary>
    private const byte SeptVeDisable = 0x10;

    private const byte Debug = 0x01;

    /// <summary>XFAM: x87, SSE, AVX, AVX-512, PKRU, AMX, as Sapphire Rapids hosts give it.</summary>
    private static ReadOnlySpan<byte> Xfam => [0xe7, 0x02, 0x06, 0, 0, 0, 0, 0];

    private static readonly HashValue ModuleMeasurement = HashValue.Sha384("kist simulated TDX module"u8);

    public static byte[] Write(
        ReadOnlySpan<byte> teeTcbSvn, HashValue mrTd, HashValue mrConfigId, bool debug, ImmutableArray<HashValue> rtmrs, ReadOnlySpan<byte> reportData)
    {
        var body = new byte[Size];
        teeTcbSvn.CopyTo(body);
        ModuleMeasurement.Span.CopyTo(body.AsSpan(16));
        body[120] = debug ? Debug : (byte)0;
        body[123] = SeptVeDisable;
        Xfam.CopyTo(body.AsSpan(128));
        mrTd.Span.CopyTo(body.AsSpan(136));
        mrConfigId.Span.CopyTo(body.AsSpan(184));
        for (var i = 0; i < 4; i++)
            rtmrs[i].Span.CopyTo(body.AsSpan(328 + 48 * i));
        reportData.CopyTo(body.AsSpan(520));
        return body;
    }
}
