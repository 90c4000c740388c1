using System.Buffers.Binary;

namespace Kist.Measurement.Snp;

/// <summary>
/// The identity block that SNP_LAUNCH_FINISH checks: the launch digest that must come out, and identities that the report
/// will show.
/// <code>
/// 0 48 LD    48 16 FAMILY_ID    64 16 IMAGE_ID    80 4 VERSION 1    84 4 GUEST_SVN    88 8 POLICY     SNP ABI, table 75
/// </code>
/// </summary>
/// <param name="LaunchDigest">The expected launch digest, 48 bytes.</param>
/// <param name="FamilyId">16 bytes of the guest's owner.</param>
/// <param name="ImageId">16 bytes of the guest's owner.</param>
/// <param name="GuestSvn">Security version number of the guest.</param>
/// <param name="Policy">The guest policy, which must be the one of the launch.</param>
public sealed record SnpIdBlock(HashValue LaunchDigest, HashValue FamilyId, HashValue ImageId, uint GuestSvn, ulong Policy)
{
    /// <summary>Bytes of the block.</summary>
    public const int Size = 96;

    /// <summary>The policy that QEMU sets unless told otherwise: SMT allowed, reserved bit 17.</summary>
    public const ulong DefaultPolicy = 0x30000;

    /// <summary>The block's bytes.</summary>
    public byte[] Write()
    {
        if (LaunchDigest.Length != SnpLaunchDigest.Size)
            throw new InvalidOperationException($"a launch digest has {SnpLaunchDigest.Size} bytes, not {LaunchDigest.Length}");
        if (FamilyId.Length != 16 || ImageId.Length != 16)
            throw new InvalidOperationException("family and image identity have 16 bytes each");
        var block = new byte[Size];
        LaunchDigest.Span.CopyTo(block);
        FamilyId.Span.CopyTo(block.AsSpan(48));
        ImageId.Span.CopyTo(block.AsSpan(64));
        BinaryPrimitives.WriteUInt32LittleEndian(block.AsSpan(80), 1);
        BinaryPrimitives.WriteUInt32LittleEndian(block.AsSpan(84), GuestSvn);
        BinaryPrimitives.WriteUInt64LittleEndian(block.AsSpan(88), Policy);
        return block;
    }
}
