using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;
using Kist.Measurement.EventLogs;

namespace Kist.Measurement.Tdx;

/// <summary>
/// The events that the EFI stub of the Linux kernel measures into RTMR2 (drivers/firmware/efi/libstub): EV_EVENT_TAG with
/// data { u32 tag, u32 size, text }.
/// </summary>
static class LinuxStubEvents
{
    private const uint InitrdTag = 0x8f3b22ec;
    private const uint LoadOptionsTag = 0x8f3b22ed;

    /// <summary>The load options: the command line as firmware passes it on, UTF-16LE with its NUL.</summary>
    public static MeasuredEvent CommandLine(string loadOptions) => new(
        2, TcgEventType.EventTag, HashValue.Sha384(Encoding.Unicode.GetBytes(loadOptions + '\0')),
        Data(LoadOptionsTag, "LOADED_IMAGE::LoadOptions\0"u8), "command line", "command line with what firmware adds, UTF-16LE with NUL");

    /// <summary>The initrd that firmware offers by EFI_LOAD_FILE2_PROTOCOL.</summary>
    public static MeasuredEvent Initrd(ReadOnlySpan<byte> initrd) => new(
        2, TcgEventType.EventTag, HashValue.Sha384(initrd), Data(InitrdTag, "Linux initrd\0"u8), "initrd", "initrd");

    private static ImmutableArray<byte> Data(uint tag, ReadOnlySpan<byte> text)
    {
        var data = new byte[8 + text.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(data, tag);
        BinaryPrimitives.WriteUInt32LittleEndian(data.AsSpan(4), (uint)text.Length);
        text.CopyTo(data.AsSpan(8));
        return ImmutableArray.Create(data);
    }
}
