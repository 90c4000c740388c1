using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;

namespace Kist.Measurement.Uefi;

/// <summary>
/// The measured form of a UEFI variable.
/// <code>
/// UEFI_VARIABLE_DATA   0 16 vendor GUID   16 8 characters of the name   24 8 bytes of data   32 name, UTF-16LE   then data
///                                                                                                          PFP 10.4.2
/// </code>
/// </summary>
public static class EfiVariable
{
    /// <summary>EFI_GLOBAL_VARIABLE.</summary>
    public static readonly Guid GlobalVariable = new("8be4df61-93ca-11d2-aa0d-00e098032b8c");

    /// <summary>EFI_IMAGE_SECURITY_DATABASE_GUID: db and dbx.</summary>
    public static readonly Guid ImageSecurityDatabase = new("d719b2cb-3d3a-4596-a3bc-dad00e67656f");

    /// <summary>The bytes of UEFI_VARIABLE_DATA.</summary>
    public static byte[] MeasuredForm(Guid vendor, string name, ReadOnlySpan<byte> data)
    {
        var nameBytes = Encoding.Unicode.GetBytes(name);
        var form = new byte[32 + nameBytes.Length + data.Length];
        vendor.TryWriteBytes(form);
        BinaryPrimitives.WriteUInt64LittleEndian(form.AsSpan(16), (ulong)name.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(form.AsSpan(24), (ulong)data.Length);
        nameBytes.CopyTo(form, 32);
        data.CopyTo(form.AsSpan(32 + nameBytes.Length));
        return form;
    }
}
