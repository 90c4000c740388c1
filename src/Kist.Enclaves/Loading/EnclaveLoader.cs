using Kist.Enclaves.Images;
using Kist.Enclaves.Sgx;
using Kist.Formats;
using Kist.Linux;
using Kist.Linux.Devices;
using Microsoft.Win32.SafeHandles;

namespace Kist.Enclaves.Loading;

/// <summary>
/// Loads an enclave through the kernel's device: ECREATE, EADD and EEXTEND of every page in the image's order, the
/// provisioning right if the enclave asks for it, EINIT. What the processor refuses is named in its own words.
/// </summary>
/// <param name="device">The device.</param>
/// <param name="openProvisionDevice">Opens /dev/sgx_provision; called only for an enclave with the attribute PROVISIONKEY.</param>
public sealed class EnclaveLoader(ISgxDevice device, Func<SafeFileHandle> openProvisionDevice)
{
    private const int BatchPages = 256;
    private const int MaxRetries = 1000;

    /// <summary>Loads an enclave.</summary>
    /// <param name="image">Its pages.</param>
    /// <param name="baseAddress">Where its range starts: reserved by the caller, aligned to its size.</param>
    /// <param name="attributes">Its attributes.</param>
    /// <param name="sigstruct">Its signature.</param>
    /// <exception cref="OperationFailedException">The processor or the kernel refused; the message says why.</exception>
    public void Load(EnclaveImage image, ulong baseAddress, SgxAttributes attributes, Sigstruct sigstruct)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(sigstruct);
        var secs = new Secs
        {
            EnclaveSize = image.EnclaveSize,
            BaseAddress = baseAddress,
            SsaFrameSize = image.SsaFrameSize,
            MiscSelect = sigstruct.MiscSelect & sigstruct.MiscMask,
            Attributes = attributes,
        };
        Secs.Parse(secs.Bytes);
        device.Create(secs.Bytes);
        foreach (var batch in Batches(image.Pages))
            Add(batch);
        if (attributes.Flags.HasFlag(EnclaveTraits.ProvisionKey))
        {
            using var provision = openProvisionDevice();
            device.AllowProvisioning(provision);
        }

        if (Initialize(sigstruct) is var error and not 0)
            throw new OperationFailedException("EINIT", Convert.ToHexStringLower(sigstruct.EnclaveHash), Describe(error), HintFor(error));
    }

    private int Initialize(Sigstruct sigstruct)
    {
        try
        {
            return device.Initialize(sigstruct.Bytes);
        }
        catch (SystemCallException e) when (e.Errno == Errno.EPERM)
        {
            // sgx_encl_init: whatever the processor's reason, the kernel says EPERM.
            throw new OperationFailedException(
                "EINIT", Convert.ToHexStringLower(sigstruct.EnclaveHash), "the processor refused the SIGSTRUCT: measurement, signature or attributes do not fit, or an interrupt came in between",
                "kist sgx verify says which of them; try again if it finds nothing", inner: e);
        }
    }

    /// <summary>Pages that lie behind each other and are alike go in one request.</summary>
    private static IEnumerable<(EnclavePage First, byte[] Content)> Batches(IEnumerable<EnclavePage> pages)
    {
        var content = new MemoryStream();
        EnclavePage first = default;
        foreach (var page in pages)
        {
            var continues = content.Length > 0 && page.Offset == first.Offset + (ulong)content.Length &&
                page.SecInfoFlags == first.SecInfoFlags && page.IsMeasured == first.IsMeasured &&
                content.Length < BatchPages * EnclaveImage.PageSize;
            if (!continues)
            {
                if (content.Length > 0)
                    yield return (first, content.ToArray());
                content.SetLength(0);
                first = page;
            }

            content.Write(EnclaveImage.ContentOf(page));
        }

        if (content.Length > 0)
            yield return (first, content.ToArray());
    }

    /// <summary>An interrupted request has added some pages; the rest follows in another.</summary>
    private void Add((EnclavePage First, byte[] Content) batch)
    {
        var secInfo = new SecInfo(batch.First.SecInfoFlags);
        var retries = 0;
        for (long done = 0; done < batch.Content.Length;)
        {
            var added = device.AddPages(
                batch.Content.AsSpan((int)done), batch.First.Offset + (ulong)done, secInfo.Bytes, batch.First.IsMeasured);
            if (added < 0 || added > batch.Content.Length - done || added % EnclaveImage.PageSize != 0)
                throw new OperationFailedException("EADD", $"offset 0x{batch.First.Offset:x}", $"the kernel says that {added} bytes were added");
            retries = added == 0 ? retries + 1 : 0;
            if (retries > MaxRetries)
                throw new OperationFailedException("EADD", $"offset 0x{batch.First.Offset:x}", "the kernel adds nothing", isTransient: true);
            done += added;
        }
    }

    /// <summary>Error codes of EINIT (Intel SDM vol. 3D, table 40-4).</summary>
    private static string Describe(int error) => error switch
    {
        1 => "SGX_INVALID_SIG_STRUCT: the SIGSTRUCT does not follow its format",
        2 => "SGX_INVALID_ATTRIBUTE: the attributes are not those that were signed, or are not allowed",
        4 => "SGX_INVALID_MEASUREMENT: the enclave is not the one that was signed",
        8 => "SGX_INVALID_SIGNATURE: the signature is wrong",
        16 => "SGX_INVALID_EINITTOKEN: the machine does not have flexible launch control",
        128 => "SGX_UNMASKED_EVENT: an interrupt came in between",
        _ => $"error {error}",
    };

    private static string? HintFor(int error) => error switch
    {
        4 => "compare kist sgx measure with the signed MRENCLAVE",
        16 => "enable flexible launch control in the firmware",
        _ => null,
    };
}
